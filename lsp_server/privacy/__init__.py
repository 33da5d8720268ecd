"""What may leave the machine: `files` decides on files, `mask` on text in the others, `policy` on the edge."""
