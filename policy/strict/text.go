package strict

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// checkText looks at the bytes before YAML does: size, encoding and characters
// that an editor does not show or that YAML and an editor take for line ends
// differently. It gives the text without a byte order mark.
func (d *Document) checkText(data []byte) ([]byte, bool) {
	if len(data) > MaxSize {
		d.errorf(d.At(1, 1), CodeTooLarge, "", "the file has %d bytes, at most %d are read", len(data), MaxSize)
		return nil, false
	}
	if bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF}) {
		d.errorf(d.At(1, 1), CodeEncoding, "save it as UTF-8", "the file is UTF-16")
		return nil, false
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	before := len(d.found)
	d.checkCharacters(data)
	if len(d.found) > before {
		return nil, false
	}
	return data, true
}

// checkCharacters reports each line's first character that may not stand in a
// file.
func (d *Document) checkCharacters(data []byte) {
	line, column, reported := 1, 1, 0
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		code := ""
		switch {
		case r == utf8.RuneError && size == 1:
			code = CodeEncoding
		case isForbidden(r):
			code = CodeControl
		}
		if code != "" && reported != line {
			reported = line
			d.reportCharacter(d.At(line, column), code, r, data[i])
		}
		i += size
		column++
		if r == '\n' || r == '\r' && (i == len(data) || data[i] != '\n') {
			line, column = line+1, 1
		}
	}
}

func (d *Document) reportCharacter(p Pos, code string, r rune, b byte) {
	if code == CodeEncoding {
		d.errorf(p, code, "save the file as UTF-8", "the byte 0x%02X is not UTF-8", b)
		return
	}
	d.errorf(p, code, "remove it", "the character %U may not stand in the file", r)
}

// isForbidden names the characters that are invisible and change how a line is
// read: controls, the line ends that only YAML knows, byte order marks in the
// middle and the marks that turn the direction of writing.
func isForbidden(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return false
	case r < 0x20 || r >= 0x7F && r <= 0x9F:
		return true
	case r == 0x2028 || r == 0x2029 || r == 0xFEFF:
		return true
	case r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069:
		return true
	case r >= 0xFFF0 && r <= 0xFFFC || r == 0xFFFE || r == 0xFFFF:
		return true
	default:
		return false
	}
}

// isInvisible names the characters that leave no mark, or the mark of a space,
// and make a text differ from one that looks the same: the format characters
// (zero width, soft hyphen, joiners), the spaces other than the one of the
// keyboard, and the fillers and selectors that Unicode lets a reader ignore.
func isInvisible(r rune) bool {
	const brailleBlank = 0x2800
	return r > unicode.MaxASCII && (r == brailleBlank || unicode.In(r,
		unicode.Cf, unicode.Zs, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector))
}
