"""The Django project of Consilience: settings, routes, supervisor. Importing it loads nothing."""
