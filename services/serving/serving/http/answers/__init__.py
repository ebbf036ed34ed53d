"""What is answered: jobs, results and problems, and the headers with them."""
