"""The calendar of a series: its step, the wall clock and its zone, open hours, regular grids."""
