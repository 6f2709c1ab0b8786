"""The learning engine of Consilience: a library of its own, without Django."""
