"""Routes, forms, answers and errors."""
