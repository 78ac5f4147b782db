"""Two small Django sites with the stock admin, for make platforms: Django's own accounts, and a user model of the site's own."""
