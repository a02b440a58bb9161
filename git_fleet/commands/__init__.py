"""Floor 5: one thin file a command. Options become named arguments of one deed; its answer becomes text and a code."""
