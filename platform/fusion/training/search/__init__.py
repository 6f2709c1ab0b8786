"""The search over methods, readings and settings that training rows alone decide."""
