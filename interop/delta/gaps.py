"""What is known not to work in the matrix: the one list of its gaps.

A cell that fails and is not listed fails the test; so does one that is listed
and works, or fails with another message.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """Why cells fail, and a part of what they say."""

    reason: str
    says: str
    cells: tuple  # of "case: cell"


def cells(cell, *keys):
    return tuple(f"{k}: {cell}" for k in keys)


def both(cell, *keys):
    """Cells of tables made here and of Spark's."""
    return cells(cell + " ours", *keys) + cells(cell + " Spark's", *keys)


GAPS = [
    # What delta-rs lacks.
    Gap("delta-rs does not know the feature typeWidening", "TypeWidening", both("rs reads", "widening", "widening_far")),
    Gap("delta-rs does not know the feature vacuumProtocolCheck", "VacuumProtocolCheck", both("rs reads", "domain")),
    Gap("delta-rs wraps the INT96 times that Spark writes where they lie outside of 1677 to 2262", "1816-03-30", cells("rs reads Spark's", "types") + cells("Spark writes ours", "types")),
    Gap("delta-rs writes no negative decimal as partition value", "Failed to parse value '-1.-25'", cells("rs: writes", "partition_negative")),
    Gap("delta-rs does not write clustered tables", "ClusteredTable", both("rs writes", "clustered")),
    Gap("delta-rs optimizes no table with column mapping", "Column mapping is not supported for write operation 'OPTIMIZE'",
        both("rs writes", "mapping_name", "mapping_id", "mapping_later", "mapping_odd", "dv_mapping", "feed_partition")),
    Gap("delta-rs reads no change feed of a table with column mapping", "Column mapping is not supported for read operation 'CHANGE DATA FEED scans'", both("rs feed of", "feed_partition")),
    Gap("delta-rs takes another row of a file with deletion vectors for the one that was deleted, where Spark reads ours", "['delete', '4', '5', None]", cells("rs feed of ours", "feed_dv")),
    Gap("delta-rs reads VARIANT as its bytes", "here and delta-rs", both("rs reads", "variant", "variant_nested") + both("rs feed of", "variant_nested")),
    Gap("delta-rs does not know the feature variantShredding-preview", "VariantShreddingPreview", both("rs reads", "variant_shredded")),
    Gap("delta-rs does not pad CHAR(n)", "'ab  '", cells("rs reads Spark's", "char")),
    Gap("delta-rs does not write tables with column defaults", "AllowColumnDefaults", both("rs writes", "defaults")),
    Gap("delta-rs does not write tables with identity columns", "IdentityColumns", both("rs writes", "identity")),
    Gap("delta-rs does not know the feature checkpointProtection, which DROP FEATURE leaves", "checkpointProtection", both("rs writes", "drop_feature")),
    Gap("delta-rs does not write tables with row tracking", "RowTracking", both("rs writes", "row_tracking", "databricks")),
    Gap("delta-rs does not write in-commit timestamps", "InCommitTimestamp", both("rs writes", "ict", "ict_later")),
]


def gap_of(case, cell):
    """The gap that a cell is listed in, None where it is to work."""
    name = f"{case}: {cell}"
    return next((g for g in GAPS if name in g.cells), None)
