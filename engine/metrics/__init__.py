"""How uncertain the network is of each image, and the images ranked by it."""
