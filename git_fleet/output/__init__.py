"""Floor 4, speech: values become text for people, promised JSON objects, and scripts. Nothing here prints."""
