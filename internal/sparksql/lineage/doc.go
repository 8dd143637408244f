// Package lineage reads off a typed plan where each output column comes from:
// which columns of which tables, with the path into them where only a field is
// used, and how, in the words of OpenLineage's column lineage facet.
//
// A DIRECT input gives the output its value: IDENTITY as it is (through
// projections, sub-queries, unions), TRANSFORMATION by an expression,
// AGGREGATION by an aggregate function. An INDIRECT input decides about the
// output without being in it: CONDITIONAL and WINDOW about one column, JOIN,
// FILTER, GROUP_BY and SORT about all rows. Views, common table expressions,
// stars and SQL functions are expanded by analysis and so are transparent.
//
// Everything is a pure function of the plan and safe for concurrent use.
package lineage
