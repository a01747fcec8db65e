"use strict";

const codec = require("codec");

console.log(codec.decode("Uryyb, jbeyq!"));
