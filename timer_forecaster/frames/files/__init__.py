"""Files of series: their bytes, dialect and columns, and tables that are saved."""
