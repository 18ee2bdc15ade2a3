"""The everyday-assistant world: topics, private facts, questions, answers and the checker. Standard library only."""
