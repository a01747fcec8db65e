"use strict";

const fs = require("fs");
const path = require("path");

const tables = JSON.parse(fs.readFileSync(path.join(__dirname, "vendor", "tables.json"), "utf8"));

exports.decode = (text) => text.replace(/[a-z]/gi, (letter) => tables.rot13[letter]);
