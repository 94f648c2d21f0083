"""What all benchmarks share: processes, the machine, environments of peers, tables and documents."""
