"""OneRoster 1.2 CSV import: bulk and delta, with an error for every row that cannot land."""
