"""What the workspace tells beside the document itself: similar code, recent edits, declarations of imported names."""
