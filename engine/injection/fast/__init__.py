"""Critical labels as the plain loop gives them, with only the changed channel run again where that is enough."""
