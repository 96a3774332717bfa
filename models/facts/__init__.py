"""What can be said of one photo, scan, face, image or embedding in a few numbers, before anything is made of it."""
