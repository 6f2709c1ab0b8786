"""Studies and alignments: tables read, files checked, samples joined, splits made."""
