"""Charts without Textual: what is plotted, and how it becomes characters, an SVG picture or a table."""
