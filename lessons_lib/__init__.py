"""Reference implementations behind *Why Models Overfit*, an executable book on regularization."""
