"""One module per metric family; each turns what the machine says into catalogue counts."""
