"""A seeded search for silently wrong answers and for errors that name nothing.

Every case is drawn from a seed, the name of a door and a number, so that each one can be run again
alone. A case asks the package a question whose right answer is known. It passes if the answer is
right, or if the input cannot be used and the error names the part that is wrong.

draw      random choices of a case
oracle    right answers and good errors
laws      laws that every forecast obeys
inputs/   values, containers, options, times, frames and files
doors/    a module for each door: questions, and their right answers
product   the networks that all cases share
runner    many cases, with a state on disk
table     counts and failures
"""
