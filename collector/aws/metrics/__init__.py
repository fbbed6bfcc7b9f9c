"""What CloudWatch has measured: which metrics there are, how they are asked for in few requests, and what came back."""
