"""The report of one campaign or several: chapters of paragraphs, tables and pictures, and what writes them."""
