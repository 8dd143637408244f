"""What real Spark answers to statements, in the form that internal/query/corpus compares with."""
