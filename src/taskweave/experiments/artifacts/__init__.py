"""What a comparison draws: charts of numbers, and pictures of its data with what networks say of them."""
