"""Figures: what they show, and how they are drawn as SVG; the terminal draws its charts on the same axes."""
