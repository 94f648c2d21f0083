//! Tests across programs, in `tests/it`. There is no library here.
