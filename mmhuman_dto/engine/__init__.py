"""What training and testing need besides MMEngine's Runner; the registries import hooks, loops and wrappers."""
