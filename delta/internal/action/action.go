package action

import (
	"bytes"
	"encoding/json"
	"sort"
)

// Values are the partition values of a file by column name, in the protocol's
// text form. An empty text is NULL; it is written as JSON null.
type Values map[string]string

// MarshalJSON writes the values ordered by name.
func (v Values) MarshalJSON() ([]byte, error) {
	names := make([]string, 0, len(v))
	for n := range v {
		names = append(names, n)
	}
	sort.Strings(names)
	var b bytes.Buffer
	b.WriteByte('{')
	for i, n := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		k, err := Marshal(n)
		if err != nil {
			return nil, err
		}
		b.Write(k)
		b.WriteByte(':')
		if v[n] == "" {
			b.WriteString("null")
			continue
		}
		t, err := Marshal(v[n])
		if err != nil {
			return nil, err
		}
		b.Write(t)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads the values; null becomes the empty text.
func (v *Values) UnmarshalJSON(data []byte) error {
	var m map[string]*string
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	if m == nil {
		*v = nil
		return nil
	}
	*v = make(Values, len(m))
	for k, s := range m {
		if s != nil {
			(*v)[k] = *s
		} else {
			(*v)[k] = ""
		}
	}
	return nil
}

// DeletionVector describes which rows of a file are deleted.
type DeletionVector struct {
	StorageType    string `json:"storageType"`
	PathOrInlineDv string `json:"pathOrInlineDv"`
	Offset         *int32 `json:"offset,omitempty"`
	SizeInBytes    int32  `json:"sizeInBytes"`
	Cardinality    int64  `json:"cardinality"`
}

// Add says that a data file belongs to the table. Its JSON form is the
// protocol's action; it may be stored and committed later.
type Add struct {
	// Path is the file's URI, relative to the table's root, percent-encoded once.
	Path            string `json:"path"`
	PartitionValues Values `json:"partitionValues"`
	// Size is the file's length in bytes.
	Size int64 `json:"size"`
	// ModificationTime is in milliseconds since the epoch.
	ModificationTime int64 `json:"modificationTime"`
	// DataChange is false where the file only rearranges rows that the table has.
	DataChange bool `json:"dataChange"`
	// Stats is the JSON text of the file's statistics; "" where there are none.
	Stats                   string            `json:"stats,omitempty"`
	Tags                    map[string]string `json:"tags,omitempty"`
	DeletionVector          *DeletionVector   `json:"deletionVector,omitempty"`
	BaseRowID               *int64            `json:"baseRowId,omitempty"`
	DefaultRowCommitVersion *int64            `json:"defaultRowCommitVersion,omitempty"`
	ClusteringProvider      string            `json:"clusteringProvider,omitempty"`
}

// Remove says that a data file no longer belongs to the table.
type Remove struct {
	Path string `json:"path"`
	// DeletionTimestamp is in milliseconds since the epoch.
	DeletionTimestamp       int64             `json:"deletionTimestamp,omitempty"`
	DataChange              bool              `json:"dataChange"`
	ExtendedFileMetadata    bool              `json:"extendedFileMetadata,omitempty"`
	PartitionValues         Values            `json:"partitionValues,omitempty"`
	Size                    int64             `json:"size,omitempty"`
	Stats                   string            `json:"stats,omitempty"`
	Tags                    map[string]string `json:"tags,omitempty"`
	DeletionVector          *DeletionVector   `json:"deletionVector,omitempty"`
	BaseRowID               *int64            `json:"baseRowId,omitempty"`
	DefaultRowCommitVersion *int64            `json:"defaultRowCommitVersion,omitempty"`
}

// Remove makes the action that takes a's file out of the table at a time in
// milliseconds since the epoch.
func (a Add) Remove(ms int64, dataChange bool) Remove {
	pv := a.PartitionValues
	if pv == nil {
		pv = Values{}
	}
	return Remove{
		Path: a.Path, DeletionTimestamp: ms, DataChange: dataChange, ExtendedFileMetadata: true,
		PartitionValues: pv, Size: a.Size, Tags: a.Tags, DeletionVector: a.DeletionVector,
		BaseRowID: a.BaseRowID, DefaultRowCommitVersion: a.DefaultRowCommitVersion,
	}
}

// Change names a file of change data: rows with the column _change_type that
// say what a version did to the table's rows.
type Change struct {
	// Path is as an Add's.
	Path            string            `json:"path"`
	PartitionValues Values            `json:"partitionValues"`
	Size            int64             `json:"size"`
	DataChange      bool              `json:"dataChange"` // always false
	Tags            map[string]string `json:"tags,omitempty"`
}

// Format is the file format of a table's data.
type Format struct {
	Provider string            `json:"provider"`
	Options  map[string]string `json:"options"`
}

// Metadata describes a table.
type Metadata struct {
	ID          string `json:"id"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	// Described tells that there is a description, if only an empty one.
	Described        bool              `json:"-"`
	Format           Format            `json:"format"`
	SchemaString     string            `json:"schemaString"`
	PartitionColumns []string          `json:"partitionColumns"`
	Configuration    map[string]string `json:"configuration"`
	// CreatedTime is in milliseconds since the epoch, 0 if unknown.
	CreatedTime int64 `json:"createdTime,omitempty"`
}

// plainMetadata is Metadata without its methods.
type plainMetadata Metadata

// MarshalJSON writes an empty description where there is one.
func (m Metadata) MarshalJSON() ([]byte, error) {
	if !m.Described || m.Description != "" {
		return json.Marshal(plainMetadata(m))
	}
	return json.Marshal(struct {
		plainMetadata
		Description string `json:"description"`
	}{plainMetadata: plainMetadata(m)})
}

// UnmarshalJSON tells an empty description from none.
func (m *Metadata) UnmarshalJSON(b []byte) error {
	in := struct {
		*plainMetadata
		Description *string `json:"description"`
	}{plainMetadata: (*plainMetadata)(m)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if in.Description != nil {
		m.Description, m.Described = *in.Description, true
	}
	return nil
}

// Protocol says what a reader and a writer must support. The feature lists are
// nil below reader version 3 and writer version 7.
type Protocol struct {
	MinReaderVersion int      `json:"minReaderVersion"`
	MinWriterVersion int      `json:"minWriterVersion"`
	ReaderFeatures   []string `json:"readerFeatures,omitempty"`
	WriterFeatures   []string `json:"writerFeatures,omitempty"`
}

// MarshalJSON writes the feature lists where, and only where, the protocol has them.
func (p Protocol) MarshalJSON() ([]byte, error) {
	m := struct {
		R  int       `json:"minReaderVersion"`
		W  int       `json:"minWriterVersion"`
		RF *[]string `json:"readerFeatures,omitempty"`
		WF *[]string `json:"writerFeatures,omitempty"`
	}{R: p.MinReaderVersion, W: p.MinWriterVersion}
	if p.MinReaderVersion >= 3 {
		l := append([]string{}, p.ReaderFeatures...)
		m.RF = &l
	}
	if p.MinWriterVersion >= 7 {
		l := append([]string{}, p.WriterFeatures...)
		m.WF = &l
	}
	return Marshal(m)
}

// Txn records how far an application has written.
type Txn struct {
	AppID   string `json:"appId"`
	Version int64  `json:"version"`
	// LastUpdated is in milliseconds since the epoch, 0 if unknown.
	LastUpdated int64 `json:"lastUpdated,omitempty"`
}

// Domain is a named piece of metadata.
type Domain struct {
	Domain        string `json:"domain"`
	Configuration string `json:"configuration"`
	Removed       bool   `json:"removed"`
}

// CommitInfo says who wrote a commit and how.
type CommitInfo struct {
	// Timestamp is in milliseconds since the epoch.
	Timestamp int64  `json:"timestamp"`
	Operation string `json:"operation"`
	// OperationParameters hold JSON texts, as Spark writes them.
	OperationParameters map[string]string `json:"operationParameters"`
	ReadVersion         *int64            `json:"readVersion,omitempty"`
	IsolationLevel      string            `json:"isolationLevel,omitempty"`
	IsBlindAppend       bool              `json:"isBlindAppend"`
	OperationMetrics    map[string]string `json:"operationMetrics,omitempty"`
	EngineInfo          string            `json:"engineInfo,omitempty"`
	TxnID               string            `json:"txnId,omitempty"`
	Tags                map[string]string `json:"tags,omitempty"`
	UserName            string            `json:"userName,omitempty"`
	InCommitTimestamp   *int64            `json:"inCommitTimestamp,omitempty"`
}

// Sidecar names a file of a checkpoint that holds adds and removes.
type Sidecar struct {
	// Path is a file's name in the log's folder _sidecars, or an absolute path.
	Path        string `json:"path"`
	SizeInBytes int64  `json:"sizeInBytes"`
	// ModificationTime is in milliseconds since the epoch.
	ModificationTime int64 `json:"modificationTime"`
}

// Set is what one commit says, or one checkpoint that is written as JSON.
type Set struct {
	Info     *CommitInfo
	Protocol *Protocol
	Metadata *Metadata
	Txns     []Txn
	Domains  []Domain
	Adds     []Add
	Removes  []Remove
	Changes  []Change
	// Sidecars occur in checkpoints only.
	Sidecars []Sidecar
}

// Marshal is json.Marshal without HTML escaping.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// Encode writes a commit file: commitInfo first, then protocol, metadata,
// transactions, domains, removes, change data and adds, one action a line.
func (s *Set) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	var err error
	line := func(key string, v any) {
		if err != nil {
			return
		}
		b.WriteString(`{"` + key + `":`)
		if err = e.Encode(v); err == nil {
			b.Truncate(b.Len() - 1)
			b.WriteString("}\n")
		}
	}
	if s.Info != nil {
		line("commitInfo", s.Info)
	}
	if s.Protocol != nil {
		line("protocol", s.Protocol)
	}
	if s.Metadata != nil {
		m := *s.Metadata // none of its collections may be null
		if m.Format.Options == nil {
			m.Format.Options = map[string]string{}
		}
		if m.Configuration == nil {
			m.Configuration = map[string]string{}
		}
		if m.PartitionColumns == nil {
			m.PartitionColumns = []string{}
		}
		line("metaData", &m)
	}
	for i := range s.Txns {
		line("txn", &s.Txns[i])
	}
	for i := range s.Domains {
		line("domainMetadata", &s.Domains[i])
	}
	for i := range s.Removes {
		line("remove", &s.Removes[i])
	}
	for i := range s.Changes {
		c := s.Changes[i]
		if c.PartitionValues == nil {
			c.PartitionValues = Values{}
		}
		line("cdc", &c)
	}
	for i := range s.Adds {
		a := s.Adds[i]
		if a.PartitionValues == nil {
			a.PartitionValues = Values{}
		}
		line("add", &a)
	}
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
