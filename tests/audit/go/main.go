// Judge is another reader of what we sign and prove: Go's own code says whether it is
// right. It reads questions, a JSON object on each line, and gives an answer to each,
// likewise.
//
// The packages note and tlog are Go's own, copied out of its source tree when this is
// built. What is written here reads files, puts together what a cosigner signs, which
// those packages do not know, and calls them.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"judge/note"
	"judge/tlog"
)

// A question has the fields that its kind needs; bytes are base64.
type question struct {
	Kind   string   // see answered
	Keys   []string // vkeys; but for a note, all of them must have signed
	Note   []byte
	File   []byte // a proof file
	Entry  []byte
	Folder string // of tiles
	Flip   *flip  // what is read wrongly in it
	Leaf   []byte
	Index  int64
	Size   int64
	Root   []byte
	Old    int64
	Before []byte // the root at the size Old
	Path   [][]byte
	Level  int // of a tile
	Width  int
}

// A flip is a bit of a file that is read as the other one.
type flip struct {
	Path string
	At   int
	Bit  int
}

// An answer says why not, or nothing; of a note, what it says, which of the keys signed
// it, by their place in the question, and what else stands below the text.
type answer struct {
	Refused string
	Text    []byte // of a tile, where it is
	Signed  []int
	Others  [][]byte // each a name, a space, the key's id and the signature
	Size    int64    // what the text of a checkpoint says
	Root    []byte
}

var kinds = map[string]func(question) error{
	"consistency": consistency,
	"folder":      folder,
	"inclusion":   inclusion,
	"proof":       proof,
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	told := bufio.NewWriter(os.Stdout)
	write := json.NewEncoder(told)
	for lines.Scan() {
		var q question
		must(json.Unmarshal(lines.Bytes(), &q))
		must(write.Encode(answered(q)))
	}
	must(lines.Err())
	must(told.Flush())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func answered(q question) (given answer) {
	var err error
	switch q.Kind {
	case "note":
		given, err = read(q)
	case "checkpoint":
		_, tree, refused := checkpoint(string(q.Note))
		given, err = answer{Size: tree.N, Root: tree.Hash[:]}, refused
	case "tile":
		tile := tlog.Tile{H: height, L: q.Level, N: q.Index, W: q.Width}
		given.Text = []byte(path(tile))
	default:
		err = kinds[q.Kind](q)
	}
	if err != nil {
		return answer{Refused: err.Error()}
	}
	return given
}

// Proofs

func inclusion(q question) error {
	path, err := hashes(append(q.Path, q.Root, q.Leaf))
	if err != nil {
		return err
	}
	end := len(q.Path)
	return tlog.CheckRecord(path[:end], q.Size, path[end], q.Index, path[end+1])
}

func consistency(q question) error {
	path, err := hashes(append(q.Path, q.Root, q.Before))
	if err != nil {
		return err
	}
	end := len(q.Path)
	return tlog.CheckTree(path[:end], q.Size, path[end], q.Old, path[end+1])
}

func hashes(data [][]byte) (made []tlog.Hash, err error) {
	for _, one := range data {
		if len(one) != tlog.HashSize {
			return nil, fmt.Errorf("a hash of %d bytes", len(one))
		}
		made = append(made, tlog.Hash(one))
	}
	return made, nil
}

// Notes

// read opens a note as Go's package does, and says what it found.
func read(q question) (given answer, err error) {
	known, err := verifiers(q.Keys)
	if err != nil {
		return given, err
	}
	opened, err := note.Open(q.Note, note.VerifierList(known...))
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		opened, given.Refused = unverified.Note, err.Error()
	} else if err != nil {
		return given, err
	}
	given.Text = []byte(opened.Text)
	for _, one := range opened.Sigs {
		for at, key := range known {
			if one.Name == key.Name() && one.Hash == key.KeyHash() {
				given.Signed = append(given.Signed, at)
			}
		}
	}
	for _, one := range opened.UnverifiedSigs {
		raw, err := base64.StdEncoding.DecodeString(one.Base64)
		must(err) // it was read before
		given.Others = append(given.Others, append([]byte(one.Name+" "), raw...))
	}
	return given, nil
}

// open opens a checkpoint that every key must have signed.
func open(data []byte, keys []string) (tree tlog.Tree, err error) {
	known, err := verifiers(keys)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(data, note.VerifierList(known...))
	if err != nil {
		return tree, err
	}
	if len(opened.Sigs) != len(keys) {
		return tree, fmt.Errorf("%d of %d keys signed", len(opened.Sigs), len(keys))
	}
	_, tree, err = checkpoint(opened.Text)
	return tree, err
}

// checkpoint has Go read the text of one, which has the name of Go's own log there.
func checkpoint(text string) (origin string, tree tlog.Tree, err error) {
	origin, rest, _ := strings.Cut(text, "\n")
	tree, err = tlog.ParseTree([]byte("go.sum database tree\n" + rest))
	return origin, tree, err
}

// A cosigner is a verifier of cosignatures, which Go's package leaves to others
// (C2SP, tlog-cosignature).
type cosigner struct {
	name   string
	id     uint32
	scheme byte
	public []byte
}

func verifiers(keys []string) (made []note.Verifier, err error) {
	for _, key := range keys {
		one, err := verifier(key)
		if err != nil {
			return nil, err
		}
		made = append(made, one)
	}
	return made, nil
}

func verifier(key string) (note.Verifier, error) {
	parts := strings.SplitN(key, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("no vkey")
	}
	data, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, err
	}
	if len(data) == 0 || data[0] == ed25519Note {
		return note.NewVerifier(key)
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), data...))
	id := binary.BigEndian.Uint32(sum[:])
	if fmt.Sprintf("%08x", id) != parts[1] {
		return nil, errors.New("the id of a vkey is not its key's")
	}
	return cosigner{parts[0], id, data[0], data[1:]}, nil
}

// Types of signatures (C2SP, signed-note)
const (
	ed25519Note        = 1
	ed25519Cosignature = 4
	mldsa44Cosignature = 6
)

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.id }

func (c cosigner) Verify(text, signature []byte) bool {
	if len(signature) < 8 {
		return false
	}
	stated, signature := signature[:8], signature[8:]
	switch c.scheme {
	case ed25519Cosignature:
		at := binary.BigEndian.Uint64(stated)
		message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, text)
		return ed25519.Verify(c.public, []byte(message), signature)
	case mldsa44Cosignature:
		origin, tree, err := checkpoint(string(text))
		public, wrong := mldsa.NewPublicKey(mldsa.MLDSA44(), c.public)
		if err != nil || wrong != nil {
			return false
		}
		var message bytes.Buffer
		message.WriteString("subtree/v1\n\x00")
		message.WriteByte(byte(len(c.name)))
		message.WriteString(c.name)
		message.Write(stated)
		message.WriteByte(byte(len(origin)))
		message.WriteString(origin)
		binary.Write(&message, binary.BigEndian, []uint64{0, uint64(tree.N)})
		message.Write(tree.Hash[:])
		return mldsa.Verify(public, message.Bytes(), signature, nil) == nil
	}
	return false
}

// Proof files (C2SP, tlog-proof)

func proof(q question) error {
	head, signed, found := strings.Cut(string(q.File), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("no proof file")
	}
	digits, told := strings.CutPrefix(lines[1], "index ")
	index, err := strconv.ParseInt(digits, 10, 64)
	if !told || err != nil || strconv.FormatInt(index, 10) != digits {
		return errors.New("no index")
	}
	var path []tlog.Hash
	for _, line := range lines[2:] {
		one, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		if one.String() != line { // Go's package lets bits pass that mean nothing
			return errors.New("another spelling of a hash")
		}
		path = append(path, one)
	}
	tree, err := open([]byte(signed), q.Keys)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(q.Entry))
}

// Folders of tiles (C2SP, tlog-tiles)

const (
	height = 8
	width  = 1 << height
)

// path gives a tile's path. Go's begin with the height of a tile, those of tlog-tiles
// do not.
func path(tile tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
}

// A tiled log is a folder, read as Go's package reads a server.
type tiled struct {
	folder string
	flip   *flip
}

func (log tiled) Height() int                     { return height }
func (log tiled) SaveTiles([]tlog.Tile, [][]byte) {}

func (log tiled) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		one, err := log.read(path(tile))
		if err != nil {
			return nil, err
		}
		data = append(data, one)
	}
	return data, nil
}

func (log tiled) read(path string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(log.folder, filepath.FromSlash(path)))
	if err == nil && log.flip != nil && log.flip.Path == path {
		data[log.flip.At] ^= 1 << log.flip.Bit
	}
	return data, err
}

// folder checks the signatures, the tiles against the signed root, and every entry.
func folder(q question) error {
	log := tiled{q.Folder, q.Flip}
	data, err := log.read("checkpoint")
	if err != nil {
		return err
	}
	tree, err := open(data, q.Keys)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, log)
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return err
	}
	if tree.N == 0 {
		root = sha256.Sum256(nil) // what RFC 9162 says; Go's package says zeros
	}
	if root != tree.Hash {
		return fmt.Errorf("the root is %v, not %v", root, tree.Hash)
	}
	for low := int64(0); low < tree.N; low += width {
		if err := bundle(log, reader, low, min(low+width, tree.N)); err != nil {
			return fmt.Errorf("entries from %d: %w", low, err)
		}
	}
	return nil
}

// bundle checks the entries with low <= index < high against their leaves.
func bundle(log tiled, reader tlog.HashReader, low, high int64) error {
	tile := tlog.Tile{H: height, L: 0, N: low / width, W: int(high - low)}
	rest, err := log.read("tile/entries/" + strings.TrimPrefix(path(tile), "tile/0/"))
	if err != nil {
		return err
	}
	var places []int64
	var found []tlog.Hash
	for index := low; index < high; index++ {
		if len(rest) < 2 {
			return errors.New("there are too few")
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		if len(rest) < end {
			return errors.New("the last is cut off")
		}
		found = append(found, tlog.RecordHash(rest[2:end]))
		places = append(places, tlog.StoredHashIndex(0, index))
		rest = rest[end:]
	}
	if len(rest) > 0 {
		return errors.New("there are too many")
	}
	leaves, err := reader.ReadHashes(places)
	if err != nil {
		return err
	}
	for at, leaf := range leaves {
		if found[at] != leaf {
			return fmt.Errorf("the leaf of entry %d is %v, not %v", at, found[at], leaf)
		}
	}
	return nil
}
