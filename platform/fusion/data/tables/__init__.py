"""Tables of strangers: the one reader, for a study folder on the command line and for uploads
alike.

    raw = read_table(path)             reader: cells as they stand, each row with its line
    fill(table, raw, ...)              typed: every column in its kind, keys checked
    files.find("images/S1.PNG")        media_files: the file that a cell names
    findings.add("duplicate_key", ...) findings: what a person must know, as codes

What is wrong is a finding, never a guess in silence; only a file that is no table at all raises
`BrokenFile`. `read_in_child` reads in a child process with limits.
"""
