"""What is said of a key in the form and of the same option on the command line; imports nothing: help is quick."""

DEVICE = "auto, cpu, cuda or cuda:1"
AGAIN = "start a new campaign even where this one is begun or finished"
