// Package azure keeps objects in a container of Azure Blob Storage, in accounts
// without a hierarchical namespace and in those with one (ADLS Gen2), and in
// the Azurite emulator. Delta tables on it are shared with Spark, Databricks,
// Synapse and delta-rs: a commit is one Put Blob with If-None-Match: *, which
// fails when their commit of that version is there, as theirs fails when ours
// is. Nothing is renamed.
//
// All requests go to the account's Blob endpoint, also for abfss:// addresses,
// whose host is translated: in an account with a hierarchical namespace both
// endpoints show the same files, and only Blob Storage makes a file with its
// content by one conditional request. A network that admits the dfs endpoint
// alone needs the blob one opened as well.
//
// The credentials need to read, write, list and, for VACUUM and the clean-up of
// a log, delete: the role Storage Blob Data Contributor, or a shared access
// signature of the container with racwdl. A signature without the right to
// overwrite does for appending.
//
// # What is sent
//
// Objects below Limits.PartBytes are one request. Larger ones are blocks, which
// the commit of their list makes the object, under the same condition; blocks
// that a broken put leaves disappear after a week. Each blob has the metadata
// "marismaput", by which a put whose answer was lost is recognised. In accounts
// with a hierarchical namespace listings go folder by folder, since the service
// orders names within a folder only.
package azure
