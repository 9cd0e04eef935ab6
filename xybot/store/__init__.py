"""Everything durable; SQL lives here and nowhere else."""
