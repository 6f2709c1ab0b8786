"""The light forms that pages read: recipe, result, protocol, intervals. No numpy, no torch."""
