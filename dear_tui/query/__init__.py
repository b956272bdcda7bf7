"""What the SQL screen and `dear-tui sql` do with a query, without a screen."""
