// Package catalog keeps the names of things: catalogs, schemas, tables and
// views with their owners, columns and properties, in an SQLite database. Of a
// table's schema and version Delta is the truth; what stands here is a copy
// for those who list and describe.
//
// A table is born as a CREATING row with a UUID that names its folder, gets
// commit 0, and becomes ACTIVE; at the start Creating lists those that a crash
// left between, to be finished or dropped. A method that returned is durable
// (WAL with synchronous=FULL); one that did not has happened as a whole or not
// at all. Names are kept in lower case and compared so.
package catalog
