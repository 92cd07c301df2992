"""What Dragoman shows of its own work under `/dragoman/`, and who may look."""
