"""The command line that the engines' scripts share: WORKLOAD INPUT OUTPUT [--way NAME]."""
import argparse


def arguments(usual_way):
    """(workload, input, output, way)"""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=["ndjson", "gzip", "csv"])
    parser.add_argument("source")
    parser.add_argument("output")
    parser.add_argument("--way", default=usual_way)
    words = parser.parse_args()
    return words.workload, words.source, words.output, words.way
