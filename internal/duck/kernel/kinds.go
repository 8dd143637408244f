package kernel

import (
	"maps"

	duckdb "github.com/duckdb/duckdb-go-bindings"
)

// maker compiles a kernel for a signature.
type maker func(*sig) (kernel, error)

// kinds is the table of all kinds.
func kinds() map[string]maker {
	out := map[string]maker{
		"from_json":               fromJSON,
		"to_json":                 toJSON,
		"get_json_object":         getJSONObject,
		"string_to_boolean":       stringToBoolean,
		"string_to_tinyint":       stringToInt[int8],
		"string_to_smallint":      stringToInt[int16],
		"string_to_int":           stringToInt[int32],
		"string_to_bigint":        stringToInt[int64],
		"string_to_float":         stringToFloat,
		"string_to_double":        stringToDouble,
		"string_to_decimal":       stringToDecimal,
		"string_to_date":          stringToDate,
		"string_to_timestamp":     stringToTimestamp,
		"string_to_timestamp_ntz": stringToTimestampNTZ,
		"double_to_string":        doubleToString,
		"float_to_string":         floatToString,
		"date_to_string":          dateToString,
		"timestamp_to_string":     timestampToString,
		"timestamp_ntz_to_string": timestampNTZToString,
		"date_format":             dateFormat,
		"parse_timestamp":         parseTimestamp,
		"pattern_error":           patternError,
		"local_to_instant":        zoneShift(true),
		"instant_to_local":        zoneShift(false),
		"regexp_like":             regexpLike,
		"regexp_extract":          regexpExtract,
		"regexp_extract_all":      regexpExtractAll,
		"regexp_replace":          regexpReplace,
		"regexp_count":            regexpCount,
		"regexp_instr":            regexpInstr,
		"regexp_substr":           regexpSubstr,
		"split":                   split,
		"decimal_div":             decimalOp(divide),
		"decimal_mul":             decimalOp(multiply),
		"decimal_add":             decimalOp(add),
		"decimal_sub":             decimalOp(subtract),
		"decimal_mod":             decimalOp(modulo),
		"decimal_rescale":         decimalRescale,
		"decimal_round34":         decimalRound34,
		"row_deleted":             rowDeleted,
		"hash":                    hashKernel(murmur{}),
		"hypot":                   hypotKernel,
		"xxhash64":                hashKernel(xx{}),
		"sha2":                    sha2,
		"crc32":                   crc,
		"encode":                  charsetKernel(true),
		"decode":                  charsetKernel(false),
		"conv":                    conv,
		"round_double":            roundFloat(false),
		"bround_double":           roundFloat(true),
		"format_number":           formatNumber,
		"format_string":           formatString,
		"initcap":                 text1(duckdb.TypeVarchar, duckdb.TypeVarchar, initcap),
		"soundex":                 text1(duckdb.TypeVarchar, duckdb.TypeVarchar, soundex),
		"levenshtein":             levenshtein,
		"substring_index":         substringIndex,
		"translate":               translateText,
		"str_to_map":              strToMap,
		"url_encode":              text1(duckdb.TypeVarchar, duckdb.TypeVarchar, urlEncode),
		"url_decode":              text1(duckdb.TypeVarchar, duckdb.TypeVarchar, urlDecode),
		"parse_url":               parseURL,
		"interval_to_string":      intervalToString,
		"string_to_calendar":      stringToCalendar,
		"string_to_interval":      stringToInterval,
		"json_array_length":       jsonArrayLength,
		"json_member":             jsonMember,
		"json_object_keys":        jsonObjectKeys,
		"decimal_int_div":         decimalIntDiv,
		"decimal_round":           decimalRound,
		"lpad_binary":             padBinary(true),
		"rpad_binary":             padBinary(false),
		"string_to_time":          stringToTime,
		"bytes_to_text":           text1(duckdb.TypeVarchar, duckdb.TypeBlob, bytesToText),
		"valid_utf8":              text1(duckdb.TypeVarchar, duckdb.TypeBlob, validUTF8),
		"luhn_check":              luhn,
		"upper":                   foldText(upperASCII, upperCaser),
		"lower":                   foldText(lowerASCII, lowerCaser),
		"reverse":                 text1(duckdb.TypeVarchar, duckdb.TypeVarchar, reverseText),
		"reverse_bytes":           text1(duckdb.TypeBlob, duckdb.TypeBlob, reverseBytes),
		"overlay_bytes":           overlayBytes,
		"is_url":                  isURL,
		"quote":                   text1(duckdb.TypeVarchar, duckdb.TypeVarchar, quoteText),
		"mask":                    maskText,
		"csv_split":               csvSplit,
		"csv_field":               csvField,
		"to_char":                 toChar,
		"to_number":               toNumber,
		"format_decimal":          formatDecimal,
		"parse_json":              text1(duckdb.TypeBlob, duckdb.TypeVarchar, parseVariant),
		"variant_to_json":         variantToJSON,
		"schema_of_variant":       text1(duckdb.TypeVarchar, duckdb.TypeBlob, schemaOfVariant),
		"schema_of_variants":      schemaOfVariants,
	}
	maps.Copy(out, laterKinds())
	maps.Copy(out, rowKinds())
	return out
}

// laterKinds are those of VARIANT, of random values, of collations, of XML, of
// what Java hashes and prints, and of bytes as text.
func laterKinds() map[string]maker {
	return map[string]maker{
		"variant_get":      variantGet,
		"to_variant":       toVariant,
		"variant_cast":     variantCast,
		"variant_castable": variantCastable,
		"variant_is_null":  isVariantNull,
		"variant_entries":  variantEntries,
		"arrival":          arrival,
		"random_double":    randomDouble,
		"random_order":     randomOrder,
		"random_text":      randomText,
		"collation_key":    collationKey(duckdb.TypeBlob),
		"collation_lower":  collationKey(duckdb.TypeVarchar),
		"collated_search":  collatedSearch,
		"from_xml":         fromXML,
		"to_xml":           toXML,
		"xml_to_variant":   xmlToVariant,
		"xpath":            xpathKernel,
		"java_hash":        objectHash,
		"java_integer":     javaInteger,
		"base64":           text1(duckdb.TypeVarchar, duckdb.TypeBlob, mimeBase64),
		"unbase64":         text1(duckdb.TypeBlob, duckdb.TypeVarchar, unbase64),
		"strict_base64":    text1(duckdb.TypeBlob, duckdb.TypeVarchar, strictBase64),
		"unhex":            text1(duckdb.TypeBlob, duckdb.TypeVarchar, unhex),
	}
}

// rowKinds are the kinds that compute row by row.
func rowKinds() map[string]maker {
	out := map[string]maker{
		"aes_decrypt":           aes(false),
		"aes_encrypt":           aes(true),
		"approx_top_k_estimate": topKEstimate,
		"sentences":             sentences,
		"st_asbinary":           spatialBinary,
		"st_from_wkb":           spatialFromWKB,
		"st_setsrid":            spatialSetSRID,
		"st_srid":               spatialSRID,
		"time_bucket":           timeBucket,
		"vector_norm":           vectorOp("vector_norm", normOf),
		"vector_normalize":      vectorOp("vector_normalize", normalized),
	}
	for _, k := range sketchKinds() {
		out[k] = sketchOps(k)
	}
	return out
}
