// Package s3 keeps objects in a bucket of Amazon S3 or of a server with its
// interface, such as MinIO. A commit of a Delta table is one PutObject with
// If-None-Match: *, of which S3 lets one succeed.
//
// # Sharing tables with others
//
// The open-source Delta of Spark does not use conditional puts on S3. Its
// default there, S3SingleDriverLogStore, is safe for one Spark driver alone,
// and S3DynamoDBLogStore coordinates its writers by a DynamoDB table that this
// package does not take part in. While Spark with open-source Delta writes to a
// table, do not write to it through this package, or commits of one can replace
// those of the other; reading is safe in both directions. delta-rs with
// conditional_put=etag, its default, and Databricks-compatible writers that use
// If-None-Match can share a table.
//
// # What the server needs
//
// Conditional writes: S3 has them since 2024, MinIO and Ceph in recent
// releases. A server that ignores If-None-Match lets a commit replace another;
// Probe tells whether it does. Directory buckets (S3 Express One Zone) are
// refused: they do not list in order.
//
// The credentials need s3:GetObject, s3:PutObject, s3:ListBucket,
// s3:AbortMultipartUpload and, for VACUUM and the clean-up of a log,
// s3:DeleteObject. Without s3:ListBucket a missing object looks like one that
// is denied.
//
// # What is sent
//
// Objects below Limits.PartBytes are one request. Larger ones are multipart
// uploads, completed under the same condition and aborted when they fail; a
// process that ends in between leaves parts that cost until a lifecycle rule
// (AbortIncompleteMultipartUpload) removes them. Each object has the metadata
// "marismaput", by which a put whose answer was lost is recognised.
package s3
