"""Ad-hoc SQL on a store: its views, what a query may do, and its errors in plain words."""
