import alula

TABLE = {"a": 1}["b"]
