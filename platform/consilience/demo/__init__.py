"""The demo of `make demo`: a study made on the spot, its people, and the steps that set it up."""
