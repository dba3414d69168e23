package report

import (
	"path"
	"strings"
)

// checkout is the repository that a CI host has checked out: hosts know files by their
// path from its root.
type checkout struct {
	// below is the path of the working folder from the root, empty or with a slash
	// behind it.
	below string
	// names are those of the root itself, each with a slash behind it.
	names []string
}

func (o Options) checkout() checkout {
	k := checkout{below: o.Root}
	for _, name := range o.Repository {
		if name != "" {
			k.names = append(k.names, strings.TrimSuffix(name, "/")+"/")
		}
	}
	return k
}

// path gives the path of a file from the root of the repository. A file that is outside
// of it keeps its whole name, as far as that is known.
func (k checkout) path(file string) string {
	if !whole(file) {
		file = path.Clean(k.below + file)
		if file != ".." && !strings.HasPrefix(file, "../") || len(k.names) == 0 {
			return file
		}
		// The way may lead out of the repository and back into it.
		file = k.names[0] + file
	}
	file = path.Clean(file)
	for _, name := range k.names {
		if inside, ok := strings.CutPrefix(file, name); ok {
			return inside
		}
	}
	return file
}

// whole tells the name of a file from the root of the machine, or of a drive of Windows.
// Names have forward slashes.
func whole(file string) bool { return path.IsAbs(file) || onDrive(file) }

func onDrive(file string) bool {
	return len(file) > 2 && file[1] == ':' && file[2] == '/' &&
		('a' <= file[0] && file[0] <= 'z' || 'A' <= file[0] && file[0] <= 'Z')
}
