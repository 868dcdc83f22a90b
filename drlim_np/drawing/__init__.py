"""What every drawing shares: panels, colours, views in space, thumbnails, magnifiers, and small files."""
