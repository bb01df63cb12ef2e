"""What charts draw: rows, planes, contours."""
